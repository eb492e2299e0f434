-- How many transactions of customers with assets above a million are below 100?
SELECT count(*) AS small_ones
FROM transaction
WHERE amount < 100
  AND customer_id IN (SELECT customer_id FROM customer WHERE assets_total > 1000000)
