-- All transactions of a customer whose outlet is not known
-- group: other key
SELECT transaction_id, outlet, booked_at, type, amount
FROM transaction
WHERE customer_id = '{other_customer}'
ORDER BY booked_at, transaction_id
