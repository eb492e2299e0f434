-- The salaries that this outlet's customers receive, by segment
SELECT c.segment, count(DISTINCT t.customer_id) AS customers, avg(t.amount) AS average_salary
FROM transaction t JOIN customer c ON t.customer_id = c.customer_id
WHERE t.outlet = '{outlet}' AND c.outlet = '{outlet}' AND t.type = 'salary'
GROUP BY c.segment
ORDER BY c.segment
