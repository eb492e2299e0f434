-- What did this outlet's customers do in all?
SELECT count(*) AS transactions, sum(amount) AS amount, max(booked_on) AS latest
FROM transaction
WHERE outlet = '{outlet}'
