-- Rents paid, by month, from the remarks of transactions
SELECT date_trunc('month', booked_on) AS month, count(*) AS payments, sum(amount) AS amount
FROM transaction
WHERE memo LIKE '%rent%' AND direction = 'debit'
GROUP BY date_trunc('month', booked_on)
ORDER BY month
