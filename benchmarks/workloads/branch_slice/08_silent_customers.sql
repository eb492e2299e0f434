-- Which customers of this outlet did nothing since the first of September?
SELECT customer_id, segment
FROM customer
WHERE outlet = '{outlet}'
  AND customer_id NOT IN (
    SELECT customer_id FROM transaction
    WHERE outlet = '{outlet}' AND booked_on >= DATE '2026-09-01')
ORDER BY customer_id
