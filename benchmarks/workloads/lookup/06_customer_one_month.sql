-- What one customer did in one month
-- group: cluster key
SELECT transaction_id, booked_on, type, amount
FROM transaction
WHERE outlet = '{customer_outlet}' AND customer_id = '{customer}'
  AND booked_on BETWEEN DATE '2026-06-01' AND DATE '2026-06-30'
ORDER BY transaction_id
