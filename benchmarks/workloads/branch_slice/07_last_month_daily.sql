-- October at this outlet, day by day
SELECT booked_on, count(*) AS transactions, sum(amount) AS amount,
       count(DISTINCT customer_id) AS customers
FROM transaction
WHERE outlet = '{outlet}' AND booked_on >= DATE '2026-10-01'
GROUP BY booked_on
ORDER BY booked_on
