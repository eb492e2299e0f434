-- The fifth page of the largest foreign debits
SELECT transaction_id, currency, amount, booked_on
FROM transaction
WHERE direction = 'debit' AND currency <> 'CNY'
ORDER BY amount DESC, transaction_id
LIMIT 50 OFFSET 200
