-- Whose card is this?
-- group: other key
SELECT card_no, customer_id, outlet, type, status, expires_on
FROM card
WHERE card_no = '{card_no}'
