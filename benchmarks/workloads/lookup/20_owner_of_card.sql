-- Name and telephone number of the owner of a lost card
-- group: other key
SELECT c.customer_id, c.name, c.mobile, k.status
FROM card k JOIN customer c ON c.customer_id = k.customer_id
WHERE k.card_no = '{card_no}'
