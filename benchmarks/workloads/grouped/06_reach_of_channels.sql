-- How many customers does each channel reach?
SELECT channel, count(DISTINCT customer_id) AS customers
FROM transaction
GROUP BY channel
ORDER BY channel
