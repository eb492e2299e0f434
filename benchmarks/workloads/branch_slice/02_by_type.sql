-- This outlet's transactions by type
SELECT type, count(*) AS transactions, sum(amount) AS amount
FROM transaction
WHERE outlet = '{outlet}'
GROUP BY type
ORDER BY type
