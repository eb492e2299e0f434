-- One transaction by its number
-- group: other key
SELECT transaction_id, customer_id, account_id, outlet, booked_at, type, amount
FROM transaction
WHERE transaction_id = {transaction_id}
