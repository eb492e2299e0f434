-- The salaries of customers whose loans are overdue
SELECT l.status, count(*) AS salaries, avg(t.amount) AS average_salary
FROM transaction t
JOIN (SELECT customer_id, max(status) AS status FROM loan
      WHERE overdue_days > 0 GROUP BY customer_id) l ON l.customer_id = t.customer_id
WHERE t.type = 'salary'
GROUP BY l.status
ORDER BY l.status
