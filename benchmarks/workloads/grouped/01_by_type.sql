-- How many transactions of each type, and how much money?
SELECT type, count(*) AS transactions, sum(amount) AS amount
FROM transaction
GROUP BY type
ORDER BY type
