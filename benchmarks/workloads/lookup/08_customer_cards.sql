-- One customer's cards
-- group: cluster key
SELECT card_no, type, status, credit_limit, expires_on
FROM card
WHERE outlet = '{card_outlet}' AND customer_id = '{card_customer}'
ORDER BY card_no
