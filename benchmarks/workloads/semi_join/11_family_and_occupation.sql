-- Spending of teachers and physicians with family by occupation and channel
SELECT c.occupation, t.channel, count(*) AS transactions, avg(t.amount) AS average
FROM transaction t JOIN customer c ON t.customer_id = c.customer_id
WHERE c.occupation IN ('teacher', 'physician') AND c.marital_status = 'married'
  AND t.direction = 'debit'
GROUP BY c.occupation, t.channel
ORDER BY c.occupation, t.channel
