-- Cash withdrawals at machines by customers who have no card
SELECT count(*) AS withdrawals, count(DISTINCT t.customer_id) AS customers, sum(t.amount) AS amount
FROM transaction t
WHERE t.type = 'cash_withdrawal' AND t.channel = 'atm'
  AND NOT EXISTS (SELECT 1 FROM card k WHERE k.customer_id = t.customer_id)
-- clickhouse:
SELECT count(*) AS withdrawals, count(DISTINCT customer_id) AS customers, sum(amount) AS amount
FROM transaction
WHERE type = 'cash_withdrawal' AND channel = 'atm'
  AND customer_id NOT IN (SELECT customer_id FROM card)
