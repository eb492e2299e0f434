-- One customer's spending by month
-- group: cluster key
SELECT date_trunc('month', booked_on) AS month, count(*) AS transactions, sum(amount) AS amount
FROM transaction
WHERE outlet = '{customer_outlet}' AND customer_id = '{customer}' AND direction = 'debit'
GROUP BY date_trunc('month', booked_on)
ORDER BY month
