-- How many customers are called Novák, outlet by outlet, where there are two or more?
SELECT outlet, count(*) AS customers
FROM customer
WHERE name LIKE '%Novák%'
GROUP BY outlet
HAVING count(*) >= 3
ORDER BY customers DESC, outlet
LIMIT 50
