-- Who calls from this number?
-- group: other key
SELECT customer_id, name, outlet, segment, vip
FROM customer
WHERE mobile = '{mobile}'
