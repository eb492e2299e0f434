-- One customer's last ten transactions
-- group: cluster key
SELECT booked_at, type, amount, transaction_id
FROM transaction
WHERE outlet = '{customer_outlet}' AND customer_id = '{customer}'
ORDER BY booked_at DESC, transaction_id
LIMIT 10
