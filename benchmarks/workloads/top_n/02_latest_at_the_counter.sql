-- The latest hundred cash deposits at the counter of 10,000 and more
SELECT booked_at, transaction_id, outlet, amount
FROM transaction
WHERE type = 'cash_deposit' AND channel = 'counter' AND amount >= 10000
ORDER BY booked_at DESC, transaction_id
LIMIT 100
