-- Cash of 5,000 and more that left this outlet's accounts, each one
SELECT booked_on, customer_id, channel, amount, transaction_id
FROM transaction
WHERE outlet = '{outlet}' AND type = 'cash_withdrawal' AND amount >= 5000
ORDER BY amount DESC, transaction_id
