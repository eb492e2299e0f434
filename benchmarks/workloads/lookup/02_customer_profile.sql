-- One customer's record
-- group: cluster key
SELECT *
FROM customer
WHERE outlet = '{customer_outlet}' AND customer_id = '{customer}'
