-- Who lives at number 188 of any People's Road?
SELECT customer_id, name, address FROM customer WHERE address LIKE '%人民路188号%' ORDER BY customer_id LIMIT 500
