-- All transactions of one account
-- group: other key
SELECT transaction_id, booked_at, type, amount, balance_after
FROM transaction
WHERE account_id = '{account}'
ORDER BY booked_at, transaction_id
