-- What moved on eight accounts of a request for information
-- group: other key
SELECT account_id, count(*) AS transactions, sum(amount) AS amount, max(booked_on) AS latest
FROM transaction
WHERE account_id IN ({account_list})
GROUP BY account_id
ORDER BY account_id
