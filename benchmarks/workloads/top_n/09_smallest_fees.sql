-- The ten smallest fees: many are equal
SELECT amount, transaction_id, account_id
FROM transaction
WHERE type = 'fee'
ORDER BY amount, transaction_id
LIMIT 10
