-- What an admin runs once on the server of a MariaDB or MySQL target, as somebody who may do everything there (root),
-- with the command-line client. From then on the broker's account may call the procedures that are granted at the
-- end, and nothing else: it has no right to make users, and none in the target's database.
--
-- Accounts of steps are made for the host that the broker itself comes from. The event ends what is over: it needs
-- `event_scheduler = ON`, without which nothing is issued.
--
-- The broker's account has to be there first, with a password. Better than for % is it for the host that the server
-- comes from; write that in place of % below as well.
--   CREATE USER {broker} IDENTIFIED BY '…';
-- Where it is not there, the first statement fails and nothing is made: MariaDB would make one without a password.

SET SESSION sql_mode = CONCAT('NO_ENGINE_SUBSTITUTION' /*M!, ',NO_AUTO_CREATE_USER' */);
GRANT USAGE ON *.* TO {broker};

SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION';
CREATE DATABASE {mint} CHARACTER SET utf8mb4;

-- The accounts of steps. `open` may log in until `ends`; `kept` may not, and is still the definer of something;
-- `ended` is gone by itself. `told` says whether a server of ours knows.
CREATE TABLE {mint}.steps (
  name VARCHAR(32) PRIMARY KEY, host VARCHAR(255) NOT NULL, ends INT UNSIGNED NOT NULL, writes BOOLEAN NOT NULL,
  state ENUM('open', 'kept', 'ended') NOT NULL, told BOOLEAN NOT NULL DEFAULT TRUE, defines VARCHAR(500)
) ENGINE=InnoDB;

DELIMITER //

CREATE PROCEDURE {mint}.run(statement TEXT)
BEGIN
  SET @mcp_migrate_statement = statement;
  PREPARE mcp_migrate_prepared FROM @mcp_migrate_statement;
  EXECUTE mcp_migrate_prepared;
  DEALLOCATE PREPARE mcp_migrate_prepared;
END //

-- What an account is the definer of; nothing of that works once the account is dropped (error 1449).
CREATE FUNCTION {mint}.defined(account VARCHAR(300)) RETURNS VARCHAR(500) READS SQL DATA
RETURN (SELECT LEFT(GROUP_CONCAT(what ORDER BY what SEPARATOR ', '), 500) FROM (
  SELECT CONCAT('view ', table_name) AS what FROM information_schema.views
    WHERE table_schema = {database} AND definer = account
  UNION ALL SELECT CONCAT('trigger ', trigger_name) FROM information_schema.triggers
    WHERE trigger_schema = {database} AND definer = account
  UNION ALL SELECT CONCAT(LOWER(routine_type), ' ', routine_name) FROM information_schema.routines
    WHERE routine_schema = {database} AND definer = account
  UNION ALL SELECT CONCAT('event ', event_name) FROM information_schema.events
    WHERE event_schema = {database} AND definer = account
) AS found) //

-- An account for one step: its name, and when it is over in seconds since 1970. `verifier` is what the server would
-- store of its password.
CREATE PROCEDURE {mint}.issue(mark CHAR(6), verifier CHAR(41), seconds INT, writes BOOLEAN)
BEGIN
  DECLARE at VARCHAR(255) DEFAULT SUBSTRING_INDEX(USER(), '@', -1);
  DECLARE ends INT UNSIGNED;
  DECLARE step VARCHAR(32);
  DECLARE account VARCHAR(300);
  IF @@GLOBAL.event_scheduler <> 'ON' OR NOT EXISTS (
    SELECT * FROM information_schema.events
    WHERE event_schema = {mint_text} AND event_name = 'expire' AND status = 'ENABLED'
  ) THEN
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'nothing would end it: event_scheduler or the event expire is off';
  END IF;
  IF NOT COALESCE(mark REGEXP '^[0-9a-f]{{6}}$' AND verifier REGEXP '^[*][0-9A-F]{{40}}$'
                  AND seconds BETWEEN 1 AND 86400 AND at REGEXP '^[0-9A-Za-z.:_-]+$', FALSE) THEN
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'this is no credential of a step';
  END IF;
  SET timestamp = DEFAULT;  -- a session may say that it is another time
  SET ends = UNIX_TIMESTAMP() + seconds;
  SET step = CONCAT('mcp_migrate_step_', LOWER(HEX(ends)), '_', mark);
  SET account = CONCAT('\'', step, '\'@\'', at, '\'');
  INSERT INTO {mint}.steps (name, host, ends, writes, state) VALUES (step, at, ends, writes, 'open');
  CALL {mint}.run(CONCAT('CREATE USER ', account, ' IDENTIFIED WITH mysql_native_password AS \'', verifier,
    '\' WITH MAX_USER_CONNECTIONS 4'));
  IF writes THEN
    CALL {mint}.run(CONCAT('GRANT ALL PRIVILEGES ON {pattern}.* TO ', account));
    CALL {mint}.run(CONCAT('GRANT SELECT, INSERT, UPDATE, DELETE, CREATE ON `mcp\\_migrate`.* TO ', account));
  ELSE
    CALL {mint}.run(CONCAT('GRANT SELECT, SHOW VIEW ON {pattern}.* TO ', account));
    CALL {mint}.run(CONCAT('GRANT SELECT ON `mcp\\_migrate`.* TO ', account));
    -- Nobody sees a trigger or an event without the right to make and drop them: it is given where there are some.
    IF EXISTS (SELECT * FROM information_schema.triggers WHERE trigger_schema = {database}) THEN
      CALL {mint}.run(CONCAT('GRANT TRIGGER ON {pattern}.* TO ', account));
    END IF;
    IF EXISTS (SELECT * FROM information_schema.events WHERE event_schema = {database}) THEN
      CALL {mint}.run(CONCAT('GRANT EVENT ON {pattern}.* TO ', account));
    END IF;
  END IF;
  -- The text of a routine is shown to its definer, who is somebody else by now, and to whoever may see those of all.
  IF EXISTS (SELECT * FROM information_schema.routines WHERE routine_schema = {database}) THEN
    CALL {mint}.run(CONCAT('GRANT ', IF(VERSION() LIKE '%MariaDB%', 'SELECT ON mysql.proc', 'SHOW_ROUTINE ON *.*'),
      ' TO ', account));
  END IF;
  SELECT step, ends;
END //

-- No new session, no open one, no account; or a locked one without a password, with what a definer of ours needs.
CREATE PROCEDURE {mint}.end_step(step VARCHAR(32), OUT sessions INT)
BEGIN
  -- As it was issued: a name in capitals is the same to a comparison, and another account to the server.
  DECLARE issued VARCHAR(32) DEFAULT (SELECT name FROM {mint}.steps WHERE name = step);
  DECLARE at VARCHAR(255) DEFAULT (SELECT host FROM {mint}.steps WHERE name = issued);
  DECLARE account VARCHAR(300) DEFAULT CONCAT('\'', issued, '\'@\'', at, '\'');
  DECLARE what VARCHAR(500);
  DECLARE who BIGINT UNSIGNED DEFAULT 0;
  DECLARE CONTINUE HANDLER FOR 1094 BEGIN END;  -- the session ended before it was ended
  SET sessions = 0;
  IF at IS NOT NULL THEN
    CALL {mint}.run(CONCAT('ALTER USER IF EXISTS ', account, ' ACCOUNT LOCK'));
    SET who = (SELECT MIN(id) FROM information_schema.processlist WHERE user = issued);
    WHILE who IS NOT NULL DO
      SET sessions = sessions + 1;
      CALL {mint}.run(CONCAT('KILL CONNECTION ', who));
      SET who = (SELECT MIN(id) FROM information_schema.processlist WHERE user = issued AND id > who);
    END WHILE;
    IF sessions = 0 THEN
      SET what = {mint}.defined(CONCAT(issued, '@', at));
      IF what IS NULL THEN
        CALL {mint}.run(CONCAT('DROP USER IF EXISTS ', account));
        UPDATE {mint}.steps SET state = 'ended' WHERE name = issued;
      ELSE
        CALL {mint}.run(CONCAT('ALTER USER ', account, ' IDENTIFIED WITH mysql_native_password AS \'*',
          UPPER(SHA1(CONCAT(UUID(), RAND()))), '\''));
        CALL {mint}.run(CONCAT('REVOKE ALL PRIVILEGES, GRANT OPTION FROM ', account));
        -- A step that only reads made none of that for us, and does not come to write by being over.
        IF (SELECT writes FROM {mint}.steps WHERE name = issued) THEN
          CALL {mint}.run(CONCAT('GRANT SELECT, INSERT, UPDATE, DELETE, EXECUTE, TRIGGER, EVENT, LOCK TABLES, ',
            'CREATE TEMPORARY TABLES ON {pattern}.* TO ', account));
        END IF;
        UPDATE {mint}.steps SET state = 'kept', defines = what WHERE name = issued;
      END IF;
    END IF;
  END IF;
END //

-- How many sessions were there to end, and what the account stays for; it is asked again until there are none.
CREATE PROCEDURE {mint}.finish(step VARCHAR(32))
BEGIN
  DECLARE sessions INT;
  CALL {mint}.end_step(step, sessions);
  DELETE FROM {mint}.steps WHERE name = step AND state = 'ended';
  UPDATE {mint}.steps SET told = TRUE WHERE name = step;
  SELECT sessions, (SELECT defines FROM {mint}.steps WHERE name = step AND state = 'kept');
END //

-- A scratch database like the target's, with a user of its own that may do nothing elsewhere. `lease` says since when.
CREATE PROCEDURE {mint}.scratch(lease VARCHAR(19), verifier CHAR(41))
BEGIN
  DECLARE at VARCHAR(255) DEFAULT SUBSTRING_INDEX(USER(), '@', -1);
  DECLARE place VARCHAR(64) DEFAULT CONCAT('mcp_migrate_scratch_', lease);
  DECLARE account VARCHAR(300) DEFAULT CONCAT('\'mcp_migrate_', lease, '\'@\'', at, '\'');
  IF NOT COALESCE(lease REGEXP '^[0-9a-f]{{8}}_[0-9a-f]{{8}}$' AND verifier REGEXP '^[*][0-9A-F]{{40}}$'
                  AND at REGEXP '^[0-9A-Za-z.:_-]+$', FALSE) THEN
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'this is no lease of a scratch database';
  END IF;
  CALL {mint}.run(CONCAT('CREATE DATABASE ', place, (
    SELECT CONCAT(' CHARACTER SET ', default_character_set_name, ' COLLATE ', default_collation_name)
    FROM information_schema.schemata WHERE schema_name = {database})));
  CALL {mint}.run(CONCAT('CREATE USER ', account, ' IDENTIFIED WITH mysql_native_password AS \'', verifier, '\''));
  CALL {mint}.run(CONCAT('GRANT ALL PRIVILEGES ON `', REPLACE(place, '_', '\\_'), '`.* TO ', account));
END //

CREATE PROCEDURE {mint}.unscratch(lease VARCHAR(19))
BEGIN
  DECLARE place VARCHAR(64) DEFAULT CONCAT('mcp_migrate_scratch_', lease);
  DECLARE who BIGINT UNSIGNED;
  DECLARE at VARCHAR(255);
  DECLARE CONTINUE HANDLER FOR 1094 BEGIN END;
  IF NOT COALESCE(lease REGEXP '^[0-9a-f]{{8}}_[0-9a-f]{{8}}$', FALSE) THEN
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'this is no lease of a scratch database';
  END IF;
  SET who = (SELECT MIN(id) FROM information_schema.processlist WHERE user = CONCAT('mcp_migrate_', lease));
  WHILE who IS NOT NULL DO
    CALL {mint}.run(CONCAT('KILL CONNECTION ', who));
    SET who = (SELECT MIN(id) FROM information_schema.processlist
               WHERE user = CONCAT('mcp_migrate_', lease) AND id > who);
  END WHILE;
  SET at = (SELECT MAX(host) FROM mysql.user WHERE user = CONCAT('mcp_migrate_', lease));
  IF at IS NOT NULL THEN
    CALL {mint}.run(CONCAT('DROP USER \'mcp_migrate_', lease, '\'@\'', at, '\''));
  END IF;
  CALL {mint}.run(CONCAT('DROP DATABASE IF EXISTS ', place));
END //

-- Whoever is over is ended, and a scratch database of two hours ago that nobody is connected to is dropped, whether or
-- not a server of ours is there.
CREATE PROCEDURE {mint}.expire()
BEGIN
  DECLARE step VARCHAR(32);
  DECLARE lease VARCHAR(19);
  DECLARE sessions INT;
  SET step = (SELECT MIN(name) FROM {mint}.steps WHERE state = 'open' AND ends < UNIX_TIMESTAMP());
  WHILE step IS NOT NULL DO
    BEGIN
      DECLARE CONTINUE HANDLER FOR SQLEXCEPTION BEGIN END;  -- one that cannot be ended now keeps no other
      UPDATE {mint}.steps SET told = FALSE WHERE name = step AND state = 'open';
      CALL {mint}.end_step(step, sessions);
    END;
    SET step = (SELECT MIN(name) FROM {mint}.steps WHERE state = 'open' AND ends < UNIX_TIMESTAMP() AND name > step);
  END WHILE;
  SET lease = (SELECT MIN(SUBSTRING(schema_name, 21)) FROM information_schema.schemata
    WHERE schema_name REGEXP '^mcp_migrate_scratch_[0-9a-f]{{8}}_[0-9a-f]{{8}}$'
      AND CONV(SUBSTRING(schema_name, 21, 8), 16, 10) < UNIX_TIMESTAMP() - 7200
      AND schema_name NOT IN (SELECT db FROM information_schema.processlist WHERE db IS NOT NULL));
  IF lease IS NOT NULL THEN
    CALL {mint}.unscratch(lease);
  END IF;
END //

-- Who ended without a server of ours: their names, once. Who is kept and defines nothing any more is dropped.
CREATE PROCEDURE {mint}.sweep()
BEGIN
  DECLARE step VARCHAR(32);
  DECLARE at VARCHAR(255);
  SET timestamp = DEFAULT;
  CALL {mint}.expire();
  SET step = (SELECT MIN(name) FROM {mint}.steps WHERE state = 'kept');
  WHILE step IS NOT NULL DO
    SET at = (SELECT host FROM {mint}.steps WHERE name = step);
    UPDATE {mint}.steps SET defines = {mint}.defined(CONCAT(step, '@', at)) WHERE name = step;
    IF (SELECT defines FROM {mint}.steps WHERE name = step) IS NULL THEN
      CALL {mint}.run(CONCAT('DROP USER IF EXISTS \'', step, '\'@\'', at, '\''));
      UPDATE {mint}.steps SET state = 'ended' WHERE name = step;
    END IF;
    SET step = (SELECT MIN(name) FROM {mint}.steps WHERE state = 'kept' AND name > step);
  END WHILE;
  START TRANSACTION;
  SELECT name, defines FROM {mint}.steps WHERE NOT told AND state <> 'open' ORDER BY name FOR UPDATE;
  DELETE FROM {mint}.steps WHERE state = 'ended';
  UPDATE {mint}.steps SET told = TRUE WHERE state = 'kept';
  COMMIT;
END //

-- The accounts that stay, and what for.
CREATE PROCEDURE {mint}.kept()
BEGIN
  SELECT name, defines FROM {mint}.steps WHERE state = 'kept' ORDER BY name;
END //

CREATE EVENT {mint}.expire ON SCHEDULE EVERY 5 SECOND ON COMPLETION PRESERVE ENABLE DO CALL {mint}.expire() //

DELIMITER ;

SET SESSION sql_mode = CONCAT('NO_ENGINE_SUBSTITUTION' /*M!, ',NO_AUTO_CREATE_USER' */);
GRANT EXECUTE ON PROCEDURE {mint}.issue TO {broker};
GRANT EXECUTE ON PROCEDURE {mint}.finish TO {broker};
GRANT EXECUTE ON PROCEDURE {mint}.sweep TO {broker};
GRANT EXECUTE ON PROCEDURE {mint}.kept TO {broker};
GRANT EXECUTE ON PROCEDURE {mint}.scratch TO {broker};
GRANT EXECUTE ON PROCEDURE {mint}.unscratch TO {broker};
