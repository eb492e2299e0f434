-- Who lives in this street of a high-tech district, by segment?
SELECT segment, count(*) AS customers
FROM customer
WHERE address LIKE '%高新区%' AND address LIKE '%中山路%'
GROUP BY segment
ORDER BY segment
