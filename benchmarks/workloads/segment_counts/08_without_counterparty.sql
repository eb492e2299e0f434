-- How many transactions that should name a counterparty name none?
SELECT count(*) AS anonymous
FROM transaction
WHERE type IN ('transfer_in', 'transfer_out', 'salary') AND counterparty_account IS NULL
