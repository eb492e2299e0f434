-- Whose e-mail address is this?
-- group: other key
SELECT customer_id, name, outlet
FROM customer
WHERE email = '{email}'
ORDER BY customer_id
