-- guacd daemons that an operator empties for maintenance: no node gives them new
-- desktops.

-- +goose Up
CREATE TABLE guacd_drains (
    guacd TEXT NOT NULL PRIMARY KEY -- its address as the configuration has it
);

-- +goose Down
DROP TABLE guacd_drains;
