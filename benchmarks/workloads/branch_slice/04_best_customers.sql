-- The ten customers of this outlet who paid most by card
SELECT customer_id, count(*) AS payments, sum(amount) AS total
FROM transaction
WHERE outlet = '{outlet}' AND type = 'card_payment'
GROUP BY customer_id
ORDER BY total DESC, customer_id
LIMIT 10
