-- This outlet's monthly inflow and outflow
SELECT date_trunc('month', booked_on) AS month, direction, sum(amount) AS amount
FROM transaction
WHERE outlet = '{outlet}'
GROUP BY date_trunc('month', booked_on), direction
ORDER BY month, direction
