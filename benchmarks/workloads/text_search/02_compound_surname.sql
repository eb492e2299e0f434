-- Customers called Ouyang with a given name of two characters that ends in 华
SELECT customer_id, name, outlet FROM customer WHERE name LIKE '%欧阳%华' ORDER BY customer_id LIMIT 200
