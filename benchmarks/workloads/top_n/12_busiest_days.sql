-- The twenty busiest days of the counters
SELECT booked_on, count(*) AS visits, count(DISTINCT customer_id) AS customers
FROM transaction
WHERE channel = 'counter'
GROUP BY booked_on
ORDER BY visits DESC, booked_on
LIMIT 20
