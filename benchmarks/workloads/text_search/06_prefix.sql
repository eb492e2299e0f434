-- Customers whose name begins with Maria
SELECT count(*) AS customers, min(customer_id) AS first_one FROM customer WHERE name LIKE 'Maria %'
