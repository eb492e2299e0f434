-- The ten largest transactions of all
SELECT transaction_id, customer_id, booked_on, type, amount
FROM transaction
ORDER BY amount DESC, transaction_id
LIMIT 10
