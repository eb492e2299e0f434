-- How many customers of each segment did nothing on the mobile phone since September?
SELECT segment, count(*) AS customers
FROM customer
WHERE customer_id NOT IN (SELECT customer_id FROM transaction
                          WHERE channel = 'mobile' AND booked_on >= DATE '2026-09-01')
GROUP BY segment
ORDER BY segment
