-- All transactions of one customer, latest first
-- group: cluster key
SELECT transaction_id, booked_at, type, channel, amount, balance_after, memo
FROM transaction
WHERE outlet = '{customer_outlet}' AND customer_id = '{customer}'
ORDER BY booked_at DESC, transaction_id
