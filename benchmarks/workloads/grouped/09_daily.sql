-- The daily course of the year: transactions, amount, largest
SELECT booked_on, count(*) AS transactions, sum(amount) AS amount, max(amount) AS largest
FROM transaction
GROUP BY booked_on
ORDER BY booked_on
