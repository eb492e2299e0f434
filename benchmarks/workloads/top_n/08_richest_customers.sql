-- The hundred customers with the highest assets
SELECT customer_id, outlet, segment, assets_total
FROM customer
ORDER BY assets_total DESC, customer_id
LIMIT 100
