-- One customer's accounts
-- group: cluster key
SELECT account_id, product, currency, status, balance
FROM account
WHERE outlet = '{customer_outlet}' AND customer_id = '{customer}'
ORDER BY account_id
