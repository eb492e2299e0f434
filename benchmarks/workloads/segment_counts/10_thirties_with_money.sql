-- How many customers in their thirties have assets of 100,000 to 500,000 and are no VIP?
-- as: researcher
SELECT count(*) AS customers
FROM customer
WHERE birth_date > DATE '1986-10-31' AND birth_date <= DATE '1996-10-31'
  AND assets_total BETWEEN 100000 AND 500000
  AND NOT vip
