-- Who paid to or was paid from this account?
-- group: other key
SELECT transaction_id, customer_id, booked_on, type, amount
FROM transaction
WHERE counterparty_account = '{counterparty}'
ORDER BY transaction_id
