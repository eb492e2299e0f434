-- Is the holder of this identity card a customer?
-- group: other key
SELECT customer_id, name, outlet, opened_on
FROM customer
WHERE id_number = '{id_number}'
