-- The latest twenty transactions over the counter at this outlet
SELECT booked_at, customer_id, type, amount, transaction_id
FROM transaction
WHERE outlet = '{outlet}' AND channel = 'counter'
ORDER BY booked_at DESC, transaction_id DESC
LIMIT 20
