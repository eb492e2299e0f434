-- This outlet's customers by segment and VIP status
SELECT segment, vip, count(*) AS customers
FROM customer
WHERE outlet = '{outlet}'
GROUP BY segment, vip
ORDER BY segment, vip
