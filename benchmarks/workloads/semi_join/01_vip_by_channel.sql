-- Which channels do VIP customers use?
SELECT channel, count(*) AS transactions, sum(amount) AS amount
FROM transaction
WHERE customer_id IN (SELECT customer_id FROM customer WHERE vip)
GROUP BY channel
ORDER BY channel
