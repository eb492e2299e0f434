-- The monthly trend of card payments
SELECT date_trunc('month', booked_on) AS month, count(*) AS payments, sum(amount) AS amount
FROM transaction
WHERE type = 'card_payment'
GROUP BY date_trunc('month', booked_on)
ORDER BY month
