-- A number that no customer has
-- group: other key
SELECT customer_id, name
FROM customer
WHERE mobile = '12000000000'
