-- How many customers use the company's mail, by education?
SELECT education, count(*) AS customers
FROM customer
WHERE email LIKE '%@corp.example.com'
GROUP BY education
ORDER BY education
