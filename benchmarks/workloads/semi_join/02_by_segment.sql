-- Transactions and amounts by the customer's segment (every row is joined)
SELECT c.segment, count(*) AS transactions, sum(t.amount) AS amount
FROM transaction t JOIN customer c ON t.customer_id = c.customer_id
GROUP BY c.segment
ORDER BY c.segment
